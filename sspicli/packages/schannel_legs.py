"""The legs of a Schannel handshake, at the client and at the server, one call after the other.

The rule guarded here: the caller's bytes are fed to the engine once and whole. Records are framed here, only complete
ones are fed, feeding ends where the handshake does, and what the engine did not look at goes back to the caller as
EXTRA. When a call must be repeated (a token without room, a certificate asked for) the engine has eaten the input
already, so it is remembered and recognised, not fed again.

A leg as most callers pass it takes a straight way (`_standing_leg`); any other shape, and a leg after one that must be
repeated, is read with care (`_other_leg`). Both end the same way.

Sources: InitializeSecurityContext and AcceptSecurityContext (Schannel) reference pages (documented); returned words,
MISSING, surviving shape mistakes (observed: Wine's tests); repeating after SEC_I_INCOMPLETE_CREDENTIALS (documented;
observed: curl, .NET); everything that `ASSUMPTIONS` in schannel_failures.py lists is inferred.
"""

from __future__ import annotations

from threading import Lock

from sspicli.packages.openssl_bindings import Outcome
from sspicli.packages.schannel_buffers import (
    NO_INPUT,
    STANDING_OUTPUT,
    InputShape,
    OutputShape,
    may_hold_alert,
    read_input,
    read_output,
    standing_token,
    write_extra,
    write_missing,
    write_output,
)
from sspicli.packages.schannel_chains import Situation
from sspicli.packages.schannel_credential import Backing
from sspicli.packages.schannel_engine import Engine
from sspicli.packages.schannel_evidence import engine_failed, known_failure
from sspicli.packages.schannel_failures import Knowledge
from sspicli.packages.schannel_messages import ControlToken, Traffic
from sspicli.packages.schannel_rules import (
    ALLOCATE_MEMORY,
    DEFERRED,
    MUTUAL_AUTH,
    REFUSED_64,
    RULES,
    USE_SUPPLIED_CREDS,
    WORD_WITHOUT_MEMORY,
    Leg,
    Phase,
    Repeat,
)
from sspicli.sspi.package import LegRequest, LegResult, Role
from sspicli.sspi.records import HANDSHAKE, HEADER_SIZE, Framing, frame
from sspicli.sspi.status import SecurityStatus

_S = SecurityStatus
_OK, _CONTINUE = _S.SEC_E_OK, _S.SEC_I_CONTINUE_NEEDED
_FRESH, _SHAKING, _OPEN = Phase.FRESH, Phase.SHAKING, Phase.OPEN
_CLIENT, _SERVER = Role.CLIENT, Role.SERVER
_DONE, _WANTS_INPUT = Outcome.DONE, Outcome.WANTS_INPUT
_NOT_OPEN = {Phase.DELETED: _S.SEC_E_INVALID_HANDLE, Phase.FAILED: _S.SEC_E_CONTEXT_EXPIRED}
_SERVER_HELLO = b"\x02"
_CHOSE_TLS13 = bytes.fromhex("002b00020304")  # the supported_versions extension of a ServerHello (RFC 8446, 4.2.1)
_HELLO_SEARCHED = 2048  # a key share of 1,120 bytes may stand before it
_HELLO_KEPT = 80  # enough of a ServerHello for its session id


class Legs:
    """The state of one side of one handshake, and its legs. Defaults stand on the class, as in `Engine`."""

    _phase = Phase.FRESH
    _engine: Engine | None = None
    _traffic: Traffic | None = None
    _repeat: Repeat | None = None
    _target: str | None = None
    _protocols: tuple[bytes, ...] | None = None
    _hello = b""
    _flights = 0
    _word = 0
    _keeps_session = True
    _pending_control: ControlToken | None = None

    def __init__(self, backing: Backing, role: Role, *, is_kernel: bool) -> None:
        self._backing = backing
        self._role = role
        self._rules = RULES[role]
        self._is_kernel = is_kernel
        self._lock = Lock()

    # -- a call ------------------------------------------------------

    def _step(self, request: LegRequest) -> LegResult:
        phase = self._phase
        token = standing_token(request) if self._repeat is None and self._pending_control is None else None
        if token is None or request.requirements & self._rules.refused:
            return self._other_leg(request, phase)
        if not token:
            is_first = phase is _FRESH and self._role is _CLIENT and self._backing.client is not None
            return self._first_client_leg(request) if is_first else self._other_leg(request, phase)
        if phase is _SHAKING or (phase is _FRESH and self._role is _SERVER and self._backing.server is not None):
            return self._standing_leg(token, request)
        if phase is _OPEN:
            self._word = self._rules.base | (request.requirements & self._rules.echoes)
            return self._written(self._after(token), InputShape(token, 1), STANDING_OUTPUT)
        return self._other_leg(request, phase)

    def _first_client_leg(self, request: LegRequest) -> LegResult:
        """Compute a client's first leg as most callers pass it, with nothing given."""
        leg = self._begun(request, NO_INPUT)
        self._word = self._rules.base | (request.requirements & self._rules.echoes)
        return self._written(leg, NO_INPUT, STANDING_OUTPUT)

    def _standing_leg(self, data: bytes, request: LegRequest) -> LegResult:
        """Compute a leg as most callers pass it, all of whose bytes are fed and whose result has room."""
        requirements, engine = request.requirements, self._engine
        if engine is None:
            engine = self._open_server(requirements, None)
        self._look_at(data, engine)
        if requirements & USE_SUPPLIED_CREDS:
            engine.has_certificate_answer = True
        engine.feed(data)
        outcome = engine.shake()
        self._word = self._rules.base | (requirements & self._rules.echoes)
        if outcome is not _DONE:
            leg = self._went_on(engine, outcome, data, len(data), request)
            return self._written(leg, InputShape(data, 1), STANDING_OUTPUT)
        left = self._opened(engine)
        output_writes = write_output(engine.drain(), None, STANDING_OUTPUT)
        input_writes = write_extra(1, left) if left else ()
        word, expiry = self._last_word(engine), self._backing.expiry
        return LegResult(_OK, input_writes, output_writes, word, expiry, None, engine.take_secrets())

    def _other_leg(self, request: LegRequest, phase: Phase) -> LegResult:
        """Compute a leg of any shape."""
        if phase is Phase.DELETED:
            return LegResult(_S.SEC_E_INVALID_HANDLE)
        is_for_want_of_room = self._repeat is not None and self._repeat.leg is not None
        if phase is Phase.FAILED and not is_for_want_of_room:
            return LegResult(_S.SEC_E_OUT_OF_SEQUENCE)
        requirements = request.requirements
        output = read_output(request.output, allocates=bool(requirements & ALLOCATE_MEMORY))
        if not isinstance(output, OutputShape):
            return LegResult(output, attributes=WORD_WITHOUT_MEMORY if output is _S.SEC_E_INSUFFICIENT_MEMORY else 0)
        rules = self._rules
        shape = read_input(request.input, is_first_client_leg=self._is_first_client_leg())
        if not isinstance(shape, InputShape):
            return LegResult(shape, output_writes=write_output(b"", None, output))
        if phase is _FRESH or requirements & rules.refused or shape.flags:
            refused = self._refusal(requirements, shape.flags)
            if refused is not None:
                return LegResult(refused, output_writes=write_output(b"", None, output))
        leg = self._leg(request, shape, output)
        self._word = rules.base | (requirements & rules.echoes)
        return self._written(leg, shape, output)

    def _is_first_client_leg(self) -> bool:
        """Tell a client's first call, or its repetition for want of room."""
        if self._phase is Phase.FRESH or self._repeat is None:
            return self._phase is Phase.FRESH and self._role is Role.CLIENT
        return self._flights == 1 and self._repeat.leg is not None and not self._repeat.eaten

    def _refusal(self, requirements: int, flags: int) -> SecurityStatus | None:
        """Refuse what Schannel, or this engine, does not do; the context survives."""
        if self._backing.context_for(self._role) is None:
            return _S.SEC_E_INVALID_HANDLE
        if requirements & self._rules.refused or flags & REFUSED_64:
            return _S.SEC_E_UNSUPPORTED_FUNCTION
        return _S.SEC_E_INVALID_PARAMETER if flags & 0xFFFFFFFF else None

    def _leg(self, request: LegRequest, shape: InputShape, output: OutputShape) -> Leg:
        """Compute a well-shaped call, and keep what its caller made no room for."""
        data = shape.token or b""
        if self._pending_control is not None:
            return self._controlled(self._pending_control)
        repeat = self._repeat
        if repeat is not None and not data.startswith(repeat.eaten):
            return Leg(_S.SEC_E_INVALID_TOKEN)
        if repeat is not None and repeat.leg is not None:
            leg = repeat.leg
        else:
            leg = self._advance(request, shape, data, repeat)
        if output.token_room is not None and len(leg.token) > output.token_room:
            self._repeat = Repeat(data[: leg.consumed], leg)
            return Leg(_S.SEC_E_INSUFFICIENT_MEMORY)
        if repeat is not None and leg.status is not _S.SEC_I_INCOMPLETE_CREDENTIALS:
            self._repeat = None
        return leg

    def _advance(self, request: LegRequest, shape: InputShape, data: bytes, repeat: Repeat | None) -> Leg:
        if self._phase is _OPEN:
            return self._after(data)
        if self._phase is _FRESH and self._role is _CLIENT:
            return self._begun(request, shape)
        framing = frame(data)
        complete = framing.complete
        if not complete:
            return self._unframed(framing)
        engine = self._engine or self._open_server(request.requirements, shape.protocols)
        self._look_at(data, engine)
        if may_hold_alert(framing.records):
            engine.watch_alerts()
        if not engine.has_certificate_answer:
            self._answer_certificate_request(request, engine)
        engine.feed(data[len(repeat.eaten) if repeat is not None else 0 : complete])
        return self._went_on(engine, engine.shake(), data, complete, request)

    def _unframed(self, framing: Framing) -> Leg:
        """Answer for input without one whole record: wait for the rest, or refuse what begins no record."""
        if framing.malformed_at is None:
            return Leg(_S.SEC_E_INCOMPLETE_MESSAGE, missing=framing.missing or HEADER_SIZE)
        self._phase = Phase.FAILED
        failure = known_failure(Knowledge.GARBAGE_HEADER, self._situation())
        return Leg(failure.status, evidence=failure.evidence)

    def _look_at(self, data: bytes, engine: Engine) -> None:
        """Watch for the number of an alert of one's own where one may be coming, and keep the ServerHello's start."""
        is_tls13 = engine.is_tls13()
        if self._role is _CLIENT and data[0] == HANDSHAKE and data[HEADER_SIZE : HEADER_SIZE + 1] == _SERVER_HELLO:
            self._hello = data[:_HELLO_KEPT]
            is_tls13 = _CHOSE_TLS13 in data[:_HELLO_SEARCHED]
        if self._flights >= self._rules.flights_in_clear and not is_tls13:
            engine.watch_alerts()

    def _went_on(self, engine: Engine, outcome: Outcome, data: bytes, complete: int, request: LegRequest) -> Leg:
        """Say how a leg ends after the engine went on with `complete` bytes of `data`."""
        token = engine.drain()
        if outcome is _WANTS_INPUT and not engine.was_canceled():
            self._phase = _SHAKING
            if token:
                self._flights += 1
                if self._role is _SERVER:
                    self._hello = token[:_HELLO_KEPT]
            return Leg(_CONTINUE, token, complete)
        if outcome is _DONE:
            return Leg(_OK, token, complete - self._opened(engine))
        if outcome is Outcome.WANTS_CERTIFICATE:
            left = len(engine.take_back())
            self._repeat = Repeat(data[: complete - left], None)
            return Leg(_S.SEC_I_INCOMPLETE_CREDENTIALS)
        return self._failed(engine, outcome, data[:complete], token, request)

    def _opened(self, engine: Engine) -> int:
        """Note that the handshake is done, and count the bytes fed that were not part of it."""
        self._phase = _OPEN
        if self._role is _CLIENT and not engine.is_tls13():
            self._keep_session()
        return len(engine.take_back())

    def _failed(self, engine: Engine, outcome: Outcome, fed: bytes, token: bytes, request: LegRequest) -> Leg:
        """Explain the failure; the alert goes out only if EXTENDED_ERROR asks for it (documented)."""
        self._phase = Phase.FAILED
        failure = engine_failed(engine, self._situation(), outcome=outcome, fed=fed, token=token)
        evidence = failure.evidence
        if token and not request.requirements & self._rules.extended_error:
            token = b""
            words = "the alert was not handed out, because EXTENDED_ERROR was not requested"
            evidence = evidence._replace(detail="; ".join(part for part in (evidence.detail, words) if part))
        return Leg(failure.status, token, len(fed), failure.alert, evidence)

    def _after(self, data: bytes) -> Leg:
        """Process what comes after the handshake, tickets above all."""
        traffic = self._traffic_or_status()
        assert isinstance(traffic, Traffic), "the handshake is done"
        leg = traffic.reauthenticate(data)
        if leg.status is _OK:
            self._keep_session()
        elif leg.status is not _S.SEC_E_INCOMPLETE_MESSAGE:
            self._phase = Phase.FAILED
        return leg

    def _controlled(self, control: ControlToken) -> Leg:
        """Make the one alert record that a control token asked for."""
        self._pending_control = None
        assert control.alert is not None, "only tokens that make an alert wait for a leg"
        traffic = self._traffic_or_status()
        if isinstance(traffic, Traffic) and control.alert == (1, 0):
            return Leg(_OK, traffic.close())
        return Leg(_OK, b"\x15\x03\x01\x00\x02" + bytes(control.alert))

    def _written(self, leg: Leg, shape: InputShape, output: OutputShape) -> LegResult:
        """Lay a result out in the caller's buffers."""
        status, token, consumed, alert, evidence, missing = leg
        engine = self._engine
        secrets = () if engine is None else engine.take_secrets()
        if status is _S.SEC_E_INCOMPLETE_MESSAGE:
            return LegResult(status, write_missing(shape.report_at, missing), (), self._word, secrets=secrets)
        if status is _S.SEC_E_INSUFFICIENT_MEMORY:
            return LegResult(status, attributes=WORD_WITHOUT_MEMORY, secrets=secrets)
        left = len(shape.token or b"") - consumed
        is_left = left > 0 and (status is _OK or status is _CONTINUE)
        input_writes = write_extra(shape.report_at, left) if is_left else ()
        output_writes = write_output(token, alert, output)
        if status is not _OK:
            return LegResult(status, input_writes, output_writes, self._word, 0, evidence, secrets)
        word, expiry = self._word if engine is None else self._last_word(engine), self._backing.expiry
        return LegResult(status, input_writes, output_writes, word, expiry, evidence, secrets)

    def _last_word(self, engine: Engine) -> int:
        """Add ASC_RETMUTUAL_AUTH, which appears in the last accept call only (documented)."""
        if engine.asks_for_certificate and engine.peer_leaf():
            self._word |= MUTUAL_AUTH
        return self._word

    # -- the engine ------------------------------------------------------

    def _begun(self, request: LegRequest, shape: InputShape) -> Leg:
        """Make the client's engine and its hello; a target that can be no host name is TARGET_UNKNOWN (inferred)."""
        self._target = request.target_name
        self._engine = engine = self._backing.open_client(
            request.target_name,
            shape.protocols or (),
            is_manual=bool((request.requirements | shape.flags) & DEFERRED),
            answers_requests=bool(request.requirements & USE_SUPPLIED_CREDS),
        )
        if engine is None:
            return Leg(_S.SEC_E_TARGET_UNKNOWN)
        return self._went_on(engine, engine.shake(), b"", 0, request)

    def _open_server(self, requirements: int, protocols: tuple[bytes, ...] | None) -> Engine:
        self._protocols = protocols
        self._engine = self._backing.open_server(protocols, asks_for_certificate=bool(requirements & MUTUAL_AUTH))
        return self._engine

    def _answer_certificate_request(self, request: LegRequest, engine: Engine) -> None:
        """Let a client go on that was asked for a certificate: anonymously, or with a credential that has one."""
        if request.requirements & USE_SUPPLIED_CREDS:
            engine.has_certificate_answer = True
        backing = getattr(request.credential, "backing", None)
        if self._repeat is None or not isinstance(backing, Backing) or backing is self._backing:
            return
        if backing.has_certificate and backing.client is not None:
            engine.connection.set_context(backing.client)
            engine.has_certificate_answer = True
            self._keeps_session = False
            self._backing = backing

    def _traffic_or_status(self) -> Traffic | SecurityStatus:
        if self._phase is _OPEN and self._engine is not None:
            if self._traffic is None:
                self._traffic = Traffic(self._engine, self._situation())
            return self._traffic
        return _NOT_OPEN.get(self._phase, _S.SEC_E_NO_CONTEXT)

    def _keep_session(self) -> None:
        engine = self._engine
        if self._role is Role.CLIENT and self._keeps_session and engine is not None:
            self._backing.keep_session(engine)

    def _take_secrets(self) -> tuple[str, ...]:
        return () if self._engine is None else self._engine.take_secrets()

    def _situation(self) -> Situation:
        return Situation(self._role, self._target, self._backing.auth, self._protocols, self._flights)
