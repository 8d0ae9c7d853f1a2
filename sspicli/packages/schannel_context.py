"""A Schannel security context: what the runtime calls, each call alone with the state.

The rule guarded here: whatever an engine throws at hostile bytes, a call has a status. After a failure the engine is
not asked any more: the phase answers.

Sources: those of schannel_legs.py, and the ApplyControlToken and SetContextAttributes pages (documented).
"""

from __future__ import annotations

from collections.abc import Mapping

from sspicli.packages.schannel_attributes import View, query, read_exporter
from sspicli.packages.schannel_engine import Engine
from sspicli.packages.schannel_legs import Legs
from sspicli.packages.schannel_messages import Traffic, read_control
from sspicli.packages.schannel_rules import Phase
from sspicli.sspi.attributes import ContextAttribute
from sspicli.sspi.buffers import BufferImage
from sspicli.sspi.package import Evidence, LegRequest, LegResult, MessageResult, QueryResult, Role, Source
from sspicli.sspi.status import SecurityStatus

_S = SecurityStatus


class SchannelContext(Legs):
    """One side of one handshake; `step` may come from any thread."""

    _exporter: Mapping[str, object] | None = None

    # -- the protocol ------------------------------------------------------

    def step(self, request: LegRequest) -> LegResult:
        """Compute one ISC or ASC call."""
        with self._lock:
            try:
                return self._step(request)
            except Exception as error:  # whatever an engine throws at hostile bytes, a call has a status
                self._phase = Phase.FAILED if self._phase is not Phase.DELETED else self._phase
                return LegResult(_S.SEC_E_INTERNAL_ERROR, evidence=_evidence_of(error), secrets=self._take_secrets())

    def encrypt(self, buffers: tuple[BufferImage, ...], qop: int) -> MessageResult:
        """Compute EncryptMessage."""
        with self._lock:
            traffic = self._traffic_or_status()
            if not isinstance(traffic, Traffic):
                return MessageResult(traffic)
            try:
                return self._with_secrets(traffic.encrypt(buffers, qop))
            except Exception as error:  # as in `step`
                return self._broken(error)

    def decrypt(self, buffers: tuple[BufferImage, ...]) -> MessageResult:
        """Compute DecryptMessage."""
        with self._lock:
            traffic = self._traffic_or_status()
            if not isinstance(traffic, Traffic):
                return MessageResult(traffic)
            try:
                result = traffic.decrypt(buffers)
            except Exception as error:  # as in `step`
                return self._broken(error)
            if result.status is _S.SEC_I_RENEGOTIATE:
                self._keep_session()
            return self._with_secrets(result)

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
        return MessageResult(_S.SEC_E_OK)

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
        return _S.SEC_E_OK if self._exporter is not None else _S.SEC_E_INVALID_PARAMETER

    def delete(self) -> None:
        """Release what the engine holds; a session made here stays resumable."""
        with self._lock:
            engine, self._engine, self._traffic, self._repeat = self._engine, None, None, None
            self._phase = Phase.DELETED
            if engine is not None:
                engine.close()

    def _with_secrets(self, result: MessageResult) -> MessageResult:
        engine = self._engine
        return result if engine is None or not engine.secrets else result._replace(secrets=engine.take_secrets())

    def _broken(self, error: Exception) -> MessageResult:
        """Turn whatever an engine throws into a status."""
        self._phase = Phase.FAILED
        return self._with_secrets(MessageResult(_S.SEC_E_INTERNAL_ERROR, evidence=_evidence_of(error)))

    def _view(self, engine: Engine) -> View:
        chain = self._backing.local_chain if self._role is Role.SERVER or engine.has_certificate_answer else ()
        return View(engine, self._role, self._phase is Phase.OPEN, self._hello, chain, self._word, self._exporter)


def _evidence_of(error: Exception) -> Evidence:
    return Evidence("not-in-the-table", Source.INFERRED, f"{type(error).__name__}: {error}")
