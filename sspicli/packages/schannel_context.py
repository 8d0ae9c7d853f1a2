"""A Schannel security context: the client's and the server's legs, one call after the other.

The rule guarded here: the caller's bytes are fed to the engine once and whole. Records are framed here, only complete
ones are fed, feeding ends where the handshake does, and what the engine did not look at goes back to the caller as
EXTRA. When a call must be repeated (a token without room, a certificate asked for) the engine has eaten the input
already, so it is remembered and recognised, not fed again. After a failure the engine is not asked any more: this
file's phase answers.

Sources: InitializeSecurityContext and AcceptSecurityContext (Schannel) reference pages (documented); returned words,
MISSING, surviving shape mistakes (observed: Wine's tests); repeating after SEC_I_INCOMPLETE_CREDENTIALS (documented;
observed: curl, .NET); everything that `ASSUMPTIONS` in schannel_failures.py lists is inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock

from sspicli.packages.schannel_attributes import View, query, read_exporter
from sspicli.packages.schannel_buffers import (
    WHOLE,
    InputShape,
    OutputShape,
    is_whole_and_no_alert,
    may_hold_alert,
    read_input,
    read_output,
    write_extra,
    write_missing,
    write_output,
)
from sspicli.packages.schannel_credential import Backing
from sspicli.packages.schannel_engine import Engine, Outcome
from sspicli.packages.schannel_evidence import Situation, engine_failed, known_failure
from sspicli.packages.schannel_failures import Knowledge
from sspicli.packages.schannel_messages import ControlToken, Traffic, read_control
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
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.buffers import BufferImage, BufferWrite
from sspicli.sspi.package import Evidence, LegRequest, LegResult, MessageResult, QueryResult, Role, Source
from sspicli.sspi.records import HANDSHAKE, HEADER_SIZE, Framing, frame
from sspicli.sspi.status import SecurityStatus

_S = SecurityStatus
_OK, _CONTINUE = _S.SEC_E_OK, _S.SEC_I_CONTINUE_NEEDED
_NOT_OPEN = {Phase.DELETED: _S.SEC_E_INVALID_HANDLE, Phase.FAILED: _S.SEC_E_CONTEXT_EXPIRED}
_SERVER_HELLO = b"\x02"
_HELLO_KEPT = 80  # enough of a ServerHello for its session id


class SchannelContext:
    """One side of one handshake; `step` may come from any thread. Defaults stand on the class, as in `Engine`."""

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
    _exporter: Mapping[str, object] | None = None
    _pending_control: ControlToken | None = None

    def __init__(self, backing: Backing, role: Role, *, is_kernel: bool) -> None:
        self._backing = backing
        self._role = role
        self._rules = RULES[role]
        self._is_kernel = is_kernel
        self._lock = Lock()

    # -- the protocol ------------------------------------------------------

    def step(self, request: LegRequest) -> LegResult:
        """Compute one ISC or ASC call."""
        with self._lock:
            try:
                return self._step(request)
            except Exception as error:  # whatever an engine throws at hostile bytes, a call has a status
                self._phase = Phase.FAILED if self._phase is not Phase.DELETED else self._phase
                return LegResult(_S.SEC_E_INTERNAL_ERROR, evidence=_broken(error), secrets=self._take_secrets())

    def encrypt(self, buffers: tuple[BufferImage, ...], qop: int) -> MessageResult:
        """Compute EncryptMessage."""
        with self._lock:
            traffic = self._traffic_or_status()
            if isinstance(traffic, SecurityStatus):
                return MessageResult(traffic)
            return self._guarded(lambda: traffic.encrypt(buffers, qop))

    def decrypt(self, buffers: tuple[BufferImage, ...]) -> MessageResult:
        """Compute DecryptMessage."""
        with self._lock:
            traffic = self._traffic_or_status()
            if isinstance(traffic, SecurityStatus):
                return MessageResult(traffic)
            result = self._guarded(lambda: traffic.decrypt(buffers))
            if result.status is _S.SEC_I_RENEGOTIATE:
                self._keep_session()
            return result

    def control(self, buffers: tuple[BufferImage, ...] | None) -> MessageResult:
        """Compute ApplyControlToken; not available in kernel mode (documented)."""
        if self._phase is Phase.DELETED:
            return MessageResult(_S.SEC_E_INVALID_HANDLE)
        if self._is_kernel:
            return MessageResult(_S.SEC_E_UNSUPPORTED_FUNCTION)
        token = read_control(buffers)
        if isinstance(token, SecurityStatus):
            return MessageResult(token)
        if token.alert is not None:
            self._pending_control = token
        elif token.keeps_session is not None:
            self._keeps_session = token.keeps_session
        return MessageResult(_OK)

    def query(self, attribute: int) -> QueryResult:
        """Compute QueryContextAttributes for the attribute with this id."""
        with self._lock:
            if self._phase is Phase.DELETED:
                return QueryResult(_S.SEC_E_INVALID_HANDLE)
            if self._engine is None:
                return QueryResult(_S.SEC_E_NO_CONTEXT)
            try:
                return query(self._view(self._engine), attribute)
            except Exception:  # a certificate that cannot be read, an engine that refuses
                return QueryResult(_S.SEC_E_INTERNAL_ERROR)

    def set_attribute(self, attribute: int, fields: Mapping[str, object]) -> SecurityStatus:
        """Compute SetContextAttributes: KEYING_MATERIAL_INFO, which KEYING_MATERIAL needs."""
        if self._phase is Phase.DELETED:
            return _S.SEC_E_INVALID_HANDLE
        if attribute not in (ContextAttribute.KEYING_MATERIAL_INFO, ContextAttribute.KEYING_MATERIAL_INPROC):
            return _S.SEC_E_UNSUPPORTED_FUNCTION
        self._exporter = read_exporter(fields)
        return _OK if self._exporter is not None else _S.SEC_E_INVALID_PARAMETER

    def delete(self) -> None:
        """Release what the engine holds; a session made here stays resumable."""
        with self._lock:
            engine, self._engine, self._traffic, self._repeat = self._engine, None, None, None
            self._phase = Phase.DELETED
            if engine is not None:
                engine.close()

    # -- a call ------------------------------------------------------

    def _step(self, request: LegRequest) -> LegResult:
        phase = self._phase
        if phase is Phase.DELETED:
            return LegResult(_S.SEC_E_INVALID_HANDLE)
        if phase is Phase.FAILED:
            return LegResult(_S.SEC_E_OUT_OF_SEQUENCE)
        requirements = request.requirements
        output = read_output(request.output, allocates=bool(requirements & ALLOCATE_MEMORY))
        if isinstance(output, SecurityStatus):
            return LegResult(output, attributes=WORD_WITHOUT_MEMORY if output is _S.SEC_E_INSUFFICIENT_MEMORY else 0)
        rules = self._rules
        shape = read_input(request.input, is_first_client_leg=self._is_first_client_leg())
        if isinstance(shape, SecurityStatus):
            return LegResult(shape, output_writes=write_output(b"", None, output))
        if phase is Phase.FRESH or requirements & rules.refused or shape.flags:
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
        if self._phase is Phase.OPEN:
            return self._after(data)
        if self._phase is Phase.FRESH and self._role is Role.CLIENT:
            refused = self._open_client(request, shape)
            return self._shaken(b"", 0, request) if refused is None else Leg(refused)
        framing = WHOLE if is_whole_and_no_alert(data) else frame(data)
        complete = len(data) if framing is WHOLE else framing.complete
        if not complete:
            return self._unframed(framing)
        engine = self._engine
        if engine is None:
            engine = self._open_server(request.requirements, shape.protocols)
        self._look_at(data, framing, engine)
        if not engine.has_certificate_answer:
            self._answer_certificate_request(request, engine)
        eaten = len(repeat.eaten) if repeat is not None else 0
        engine.feed(data if not eaten and complete == len(data) else data[eaten:complete])
        return self._shaken(data, complete, request)

    def _unframed(self, framing: Framing) -> Leg:
        """Answer for input without one whole record: wait for the rest, or refuse what begins no record."""
        if framing.malformed_at is None:
            return Leg(_S.SEC_E_INCOMPLETE_MESSAGE, missing=framing.missing or HEADER_SIZE)
        self._phase = Phase.FAILED
        failure = known_failure(Knowledge.GARBAGE_HEADER, self._situation())
        return Leg(failure.status, evidence=failure.evidence)

    def _look_at(self, data: bytes, framing: Framing, engine: Engine) -> None:
        """Watch for the number of an alert where one may be coming, and keep the ServerHello's beginning."""
        if self._flights >= self._rules.flights_in_clear and not engine.is_tls13():
            engine.watch_alerts()
        if self._role is Role.CLIENT and data[0] == HANDSHAKE and data[HEADER_SIZE : HEADER_SIZE + 1] == _SERVER_HELLO:
            self._hello = data[:_HELLO_KEPT]
        if may_hold_alert(framing.records):
            engine.watch_alerts()

    def _shaken(self, data: bytes, complete: int, request: LegRequest) -> Leg:
        """Let the engine go on, and say how the leg ends."""
        engine = self._engine
        assert engine is not None, "the engine is made before it goes on"
        outcome = engine.shake()
        token = engine.drain()
        if outcome is Outcome.WANTS_INPUT and not engine.was_canceled():
            self._phase = Phase.SHAKING
            if token:
                self._flights += 1
                if self._role is Role.SERVER:
                    self._hello = token[:_HELLO_KEPT]
            return Leg(_CONTINUE, token, complete)
        if outcome is Outcome.DONE:
            return self._done(engine, token, complete)
        if outcome is Outcome.WANTS_CERTIFICATE:
            left = len(engine.take_back())
            self._repeat = Repeat(data[: complete - left], None)
            return Leg(_S.SEC_I_INCOMPLETE_CREDENTIALS)
        return self._failed(engine, outcome, data[:complete], token, request)

    def _done(self, engine: Engine, token: bytes, complete: int) -> Leg:
        self._phase = Phase.OPEN
        left = len(engine.take_back())
        if self._role is Role.CLIENT and not engine.is_tls13():
            self._keep_session()
        return Leg(_OK, token, complete - left)

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
        status, consumed, token, alert, missing, evidence = traffic.reauthenticate(data)
        if status is _OK:
            self._keep_session()
        elif status is not _S.SEC_E_INCOMPLETE_MESSAGE:
            self._phase = Phase.FAILED
        return Leg(status, token, consumed, alert, evidence, missing)

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
        secrets = () if self._engine is None else self._engine.take_secrets()
        if status is _S.SEC_E_INCOMPLETE_MESSAGE:
            return LegResult(status, write_missing(shape, missing), (), self._word, secrets=secrets)
        if status is _S.SEC_E_INSUFFICIENT_MEMORY:
            return LegResult(status, attributes=WORD_WITHOUT_MEMORY, secrets=secrets)
        input_writes: tuple[BufferWrite, ...] = ()
        if (status is _OK or status is _CONTINUE) and shape.token is not None and consumed < len(shape.token):
            input_writes = write_extra(shape, len(shape.token) - consumed)
        output_writes = write_output(token, alert, output)
        if status is not _OK:
            return LegResult(status, input_writes, output_writes, self._word, 0, evidence, secrets)
        word, expiry = self._last_word(), self._backing.expiry
        return LegResult(status, input_writes, output_writes, word, expiry, evidence, secrets)

    def _last_word(self) -> int:
        """Add ASC_RETMUTUAL_AUTH, which appears in the last accept call only (documented)."""
        engine = self._engine
        if self._role is Role.SERVER and engine is not None and engine.asks_for_certificate and engine.peer_leaf():
            self._word |= MUTUAL_AUTH
        return self._word

    # -- the engine ------------------------------------------------------

    def _open_client(self, request: LegRequest, shape: InputShape) -> SecurityStatus | None:
        """Make the client's engine; a target that can be no host name is SEC_E_TARGET_UNKNOWN (inferred)."""
        self._target = request.target_name
        self._engine = engine = self._backing.open_client(
            request.target_name,
            shape.protocols or (),
            is_manual=bool((request.requirements | shape.flags) & DEFERRED),
            answers_requests=bool(request.requirements & USE_SUPPLIED_CREDS),
        )
        return _S.SEC_E_TARGET_UNKNOWN if engine is None else None

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
        if self._phase is Phase.OPEN and self._engine is not None:
            if self._traffic is None:
                self._traffic = Traffic(self._engine, self._situation())
            return self._traffic
        return _NOT_OPEN.get(self._phase, _S.SEC_E_NO_CONTEXT)

    def _keep_session(self) -> None:
        engine = self._engine
        if self._role is Role.CLIENT and self._keeps_session and engine is not None:
            self._backing.keep_session(engine)

    def _guarded(self, compute: Callable[[], MessageResult]) -> MessageResult:
        """Turn whatever an engine throws into a status, and hand the secrets over."""
        try:
            result = compute()
        except Exception as error:  # as in `step`
            self._phase = Phase.FAILED
            result = MessageResult(_S.SEC_E_INTERNAL_ERROR, evidence=_broken(error))
        secrets = self._take_secrets()
        return result._replace(secrets=secrets) if secrets else result

    def _take_secrets(self) -> tuple[str, ...]:
        return () if self._engine is None else self._engine.take_secrets()

    def _situation(self) -> Situation:
        return Situation(self._role, self._target, self._backing.auth, self._protocols, self._flights)

    def _view(self, engine: Engine) -> View:
        chain = self._backing.local_chain if self._role is Role.SERVER or engine.has_certificate_answer else ()
        return View(engine, self._role, self._phase is Phase.OPEN, self._hello, chain, self._word, self._exporter)


def _broken(error: Exception) -> Evidence:
    return Evidence("not-in-the-table", Source.INFERRED, f"{type(error).__name__}: {error}")
