"""What each status means, what usually causes it, and what to do next.

The rule guarded here: every member of `SecurityStatus` and `NtStatus` has its facts, and each says how we know its
*meaning*. Causes and remedies are this project's experience, gathered under our own responsibility, for every code
alike. Several causes in one text are parted by "; ".

Source: winerror.h and ntstatus.h comments, the SSPI status codes page, the pages of the asynchronous functions.
"""

from __future__ import annotations

from typing import NamedTuple

from sspicli.sspi.package import Source
from sspicli.sspi.status import NtStatus, SecurityStatus


class StatusFacts(NamedTuple):
    """What is known about one status.

    `cause` is "" where no particular one is known. `source` speaks of the meaning; `reference` names the public place
    to look it up.
    """

    meaning: str
    cause: str
    remedy: str
    source: Source = Source.DOCUMENTED
    reference: str = "winerror.h; SSPI status codes page"


def _rare(meaning: str, cause: str = "") -> StatusFacts:
    """State a status that a handshake seldom meets and that has no remedy of its own."""
    return StatusFacts(meaning, cause, "Delete the security context and report the status by name.")


def _certificate(meaning: str, cause: str, remedy: str) -> StatusFacts:
    """State a status of the certificate layer, which winerror.h alone documents."""
    return StatusFacts(meaning, cause, remedy, reference="winerror.h; certificate chain policy pages")


_F = StatusFacts
_S = SecurityStatus

_INFORMATIONAL = {
    _S.SEC_E_OK: _F(
        "The call is done; as a queue status it says only that the call was queued.",
        "the normal end of a handshake; any function that had nothing to object to",
        "Send the output token, if there is one, then use or delete the security context.",
    ),
    _S.SEC_I_CONTINUE_NEEDED: _F(
        "This leg is done and at least one more must follow.",
        "the normal middle of a handshake",
        "Send the token (it may be empty) and give the peer's answer to the next call; call again at once if the input "
        "came back with a SECBUFFER_EXTRA.",
    ),
    _S.SEC_I_COMPLETE_NEEDED: _F(
        "The token has to go through CompleteAuthToken; the handshake is then done.",
        "Digest and DCE style; some NTLM servers outside Windows",
        "Call CompleteAuthToken, then send the token.",
    ),
    _S.SEC_I_COMPLETE_AND_CONTINUE: _F(
        "The token has to go through CompleteAuthToken, and another leg follows.",
        "Digest and DCE style",
        "Call CompleteAuthToken, send the token, and go on with the peer's answer.",
    ),
    _S.SEC_I_LOCAL_LOGON: _F(
        "The logon was made from what this machine knows, without asking a network authority.",
        "NTLM or Kerberos to the same machine",
        "Treat it as success.",
    ),
    _S.SEC_I_GENERIC_EXTENSION_RECEIVED: _F(
        "A TLS extension the caller had subscribed to has arrived, and the handshake waits.",
        "a SECBUFFER_SUBSCRIBE_GENERIC_TLS_EXTENSION buffer, as QUIC callers use",
        "Read the extension from that buffer, then call again with the same input.",
        reference="winerror.h; sspi.h",
    ),
    _S.SEC_I_CONTEXT_EXPIRED: _F(
        "The peer has closed the session with close_notify.",
        "DecryptMessage after the peer's shutdown; a call that made this side's own shutdown token",
        "Answer with a shutdown of this side's own, where the API has one, and delete the security context.",
    ),
    _S.SEC_I_INCOMPLETE_CREDENTIALS: _F(
        "The server asked for a client certificate and the credential holds no suitable one. At a server: the client "
        "sent none, and one is required.",
        "a client credential without certificate, and no ISC_REQ_USE_SUPPLIED_CREDS; "
        "a certificate from an issuer the server did not name; at a server, a client without a certificate",
        "At a client repeat the call with the same input, either with ISC_REQ_USE_SUPPLIED_CREDS to go without a "
        "certificate or with a credential that has one; doing neither repeats the status for ever. At a server it is "
        "the end: delete the security context.",
    ),
    _S.SEC_I_RENEGOTIATE: _F(
        "A record that is not application data was read after the handshake, and the package has to see it.",
        "a TLS 1.3 session ticket or key update; a TLS 1.2 renegotiation; an alert in TLS 1.3",
        "Give the remaining bytes to the initialize or accept call as its token before encrypting or decrypting "
        "anything.",
    ),
    _S.SEC_I_NO_LSA_CONTEXT: _F(
        "The security context has no part inside the LSA.", "a context that lives in this process only", "Carry on."
    ),
    _S.SEC_I_SIGNATURE_NEEDED: _F(
        "The caller has to make a signature, because the package has no access to the key.",
        "a private key that is kept elsewhere",
        "Supply the signature and repeat the call.",
    ),
    _S.SEC_I_NO_RENEGOTIATION: _F(
        "The peer declined to renegotiate; the session stays usable.",
        "alert 100 no_renegotiation, as a warning",
        "Carry on with the session as it is.",
    ),
    _S.SEC_I_MESSAGE_FRAGMENT: _F(
        "The output holds one fragment of a message, and more are waiting.",
        "DTLS; output buffers smaller than the message",
        "Send the fragment and call again for the next one.",
    ),
    _S.SEC_I_CONTINUE_NEEDED_MESSAGE_OK: _F(
        "Another leg must follow, and the message just handled was complete.",
        "the MESSAGES flag, which takes away the TLS record layer (QUIC)",
        "Proceed as after SEC_I_CONTINUE_NEEDED.",
        reference="winerror.h",
    ),
    _S.SEC_I_ASYNC_CALL_PENDING: _F(
        "The call has been queued and has not completed.",
        "SspiGetAsyncCallStatus asked before the package was done",
        "Wait for the notify callback or ask again; until then the buffers and the async context belong to the call.",
        reference="winerror.h; SspiGetAsyncCallStatus page",
    ),
}

_ERRORS = {
    _S.SEC_E_INSUFFICIENT_MEMORY: _F(
        "There is not enough memory; an output buffer that is too small is reported this way as well.",
        "memory ran out; a TOKEN or ALERT buffer too small, without ALLOCATE_MEMORY; an ALERT buffer of size 0",
        "Offer larger buffers or ALLOCATE_MEMORY; after a mistake with the buffers the same security context goes on.",
    ),
    _S.SEC_E_INVALID_HANDLE: _F(
        "A credential or security context handle is not valid.",
        "a handle used after it was deleted, or never set; neither a credential nor a security context was given",
        "Correct the program: keep handles alive until the last call that uses them has completed.",
    ),
    _S.SEC_E_UNSUPPORTED_FUNCTION: _F(
        "The function, flag or attribute asked for is not supported; alert 70 is reported this way too.",
        "DELEGATE or PROMPT_FOR_CREDS with Schannel; ApplyControlToken in kernel mode; an attribute of another "
        "package; "
        "the peer knows none of the protocol versions offered",
        "Take the flag or attribute out of the request; if the peer sent an alert, widen the range of protocol "
        "versions.",
    ),
    _S.SEC_E_TARGET_UNKNOWN: _F(
        "The target name is not known.",
        "a Kerberos service principal name that was never registered",
        "Correct the target name, or register the service principal name.",
    ),
    _S.SEC_E_INTERNAL_ERROR: _F(
        "Something failed that has no SSPI status of its own; alert 80 is reported this way too.",
        "a descriptor that was NULL where one is needed; an inner failure at this side or at the peer",
        "Look at the arguments first, then at the logs of both sides.",
    ),
    _S.SEC_E_SECPKG_NOT_FOUND: _F(
        "No security package has this name.",
        "a misspelt or missing package name; a package that is not installed",
        "List the security packages and use one of their names.",
    ),
    _S.SEC_E_NOT_OWNER: _rare("The caller may not use these credentials.", "credentials of another logon session"),
    _S.SEC_E_CANNOT_INSTALL: _rare("The security package refused to start, and so was not installed."),
    _S.SEC_E_INVALID_TOKEN: _F(
        "The input token is malformed, or the buffers have the wrong type, number or size.",
        "bytes that are not a record of this protocol; a token of another security package; a SECBUFFER_EMPTY "
        "with a size; "
        "a missing SECBUFFER_DATA; a SECBUFFER_EXTRA fed in twice",
        "Correct the buffers and repeat the call if their shape was wrong; otherwise delete the security context.",
    ),
    _S.SEC_E_CANNOT_PACK: _rare("The security context cannot be made into an exportable form."),
    _S.SEC_E_QOP_NOT_SUPPORTED: _F(
        "The quality of protection asked for is not available in this security context.",
        "encrypting in a context that was made without CONFIDENTIALITY or INTEGRITY",
        "Request CONFIDENTIALITY when the handshake begins.",
    ),
    _S.SEC_E_NO_IMPERSONATION: _rare("The client of this security context cannot be impersonated."),
    _S.SEC_E_LOGON_DENIED: _F(
        "The credentials were not accepted; alert 49 is reported this way too.",
        "a wrong password or account; access denied by the peer's policy",
        "Correct the credentials. The status is in use, although one page calls it obsolete.",
    ),
    _S.SEC_E_UNKNOWN_CREDENTIALS: _F(
        "The package does not understand the authentication data it was given.",
        "a wrong dwVersion in the structure; a certificate that cannot be read",
        "Correct the structure in pAuthData.",
    ),
    _S.SEC_E_NO_CREDENTIALS: _F(
        "No usable credential is there.",
        "an inbound credential without certificate; a certificate without private key; "
        "the peer's certificate was queried and it sent none",
        "Supply a certificate together with its private key.",
    ),
    _S.SEC_E_MESSAGE_ALTERED: _F(
        "The message's integrity check failed; alerts 20 and 30 are reported this way too.",
        "bytes changed on the way; the two sides hold different keys; records lost or repeated",
        "Delete the security context; compare the bytes at both ends.",
    ),
    _S.SEC_E_OUT_OF_SEQUENCE: _F(
        "The message does not come in its turn.",
        "a replayed or lost message; another leg on a security context that has already failed",
        "Delete the security context.",
    ),
    _S.SEC_E_NO_AUTHENTICATING_AUTHORITY: _F(
        "No authority could be reached to authenticate with.",
        "no Kerberos KDC or domain controller answers; a wrong realm or domain name",
        "Check the realm, name resolution and the network.",
    ),
    _S.SEC_E_BAD_PKGID: _rare("The package id is not one the system knows."),
    _S.SEC_E_CONTEXT_EXPIRED: _F(
        "The security context has ended and can no longer be used.",
        "encrypting or decrypting after a close; encrypting or decrypting after SEC_I_RENEGOTIATE, without the call it "
        "demands",
        "Make the initialize or accept call that is still owed; otherwise delete the security context.",
    ),
    _S.SEC_E_INCOMPLETE_MESSAGE: _F(
        "The input ends before the message does; nothing was consumed. The value is negative, yet this is no failure.",
        "a record that arrived in parts",
        "Read more, append it to the same input, and repeat the call.",
    ),
    _S.SEC_E_INCOMPLETE_CREDENTIALS: _F(
        "The credentials lack something the handshake needs.",
        "no certificate where one is required",
        "Supply a certificate in the credential.",
    ),
    _S.SEC_E_BUFFER_TOO_SMALL: _F(
        "The caller's buffer is too small for the result.",
        "buffers of fixed size; a token buffer of size 0",
        "Enlarge the buffer and repeat the call; the size needed may stand in cbBuffer.",
    ),
    _S.SEC_E_WRONG_PRINCIPAL: _F(
        "The peer is not the target that was named.",
        "the certificate does not carry the target name; a Kerberos service that runs under another key",
        "Correct the target name, or give the server a certificate for it.",
    ),
    _S.SEC_E_TIME_SKEW: _F(
        "The clocks of the two sides are too far apart.", "Kerberos with clocks that were not set", "Set the clocks."
    ),
    _S.SEC_E_UNTRUSTED_ROOT: _F(
        "The certificate chain ends at an authority that is not trusted; alert 48 is reported this way too.",
        "a private authority that was not installed; an intermediate certificate the server did not send",
        "Install the authority, send the whole chain, or validate the certificate in the application.",
    ),
    _S.SEC_E_ILLEGAL_MESSAGE: _F(
        "The peer's message was unexpected or malformed, or the peer sent one of several fatal alerts.",
        "alert 40: no common version, suite, group or signature algorithm; a message out of order, as after a lost "
        "SECBUFFER_EXTRA",
        "Find out which alert came; compare the protocol versions and suites of both sides.",
    ),
    _S.SEC_E_CERT_UNKNOWN: _F(
        "The certificate has a defect without a code of its own; alerts 42, 43 and 46 are reported this way too.",
        "a wrong signature on the certificate; a key or extension the other side does not take",
        "Look at the chain, certificate by certificate.",
    ),
    _S.SEC_E_CERT_EXPIRED: _F(
        "The certificate is outside its period of validity; alert 45 is reported this way too.",
        "an expired certificate; one that is not valid yet; a wrong clock",
        "Renew the certificate, or set the clock.",
    ),
    _S.SEC_E_ENCRYPT_FAILURE: _F(
        "The message could not be encrypted.",
        "more data than cbMaximumMessage in one call",
        "Split the data according to SECPKG_ATTR_STREAM_SIZES.",
    ),
    _S.SEC_E_DECRYPT_FAILURE: _F(
        "The message could not be decrypted; alerts 21 and 51 are reported this way too.",
        "the two sides hold different keys; a Finished or CertificateVerify message that does not fit",
        "Delete the security context; look for bytes lost or repeated before this message.",
    ),
    _S.SEC_E_ALGORITHM_MISMATCH: _F(
        "The two sides have no algorithm or version in common; alert 71 is reported this way too.",
        "disjoint protocol versions, suites, groups or signature algorithms; "
        "a credential whose protocol mask leaves nothing",
        "Align the settings. The side that finds the mismatch has this status; the other one sees an alert.",
    ),
    _S.SEC_E_SECURITY_QOS_FAILED: _F(
        "The quality of service asked for (mutual authentication, delegation) was not reached.",
        "request flags the peer or the account cannot satisfy",
        "Ask for less, or set up what was asked for.",
    ),
    _S.SEC_E_UNFINISHED_CONTEXT_DELETED: _F(
        "The security context was deleted before the handshake ended; alert 90 is reported this way too.",
        "the peer gave up",
        "Ask the peer's side why; delete the security context.",
    ),
    _S.SEC_E_NO_TGT_REPLY: _rare("User-to-user authentication is needed and no ticket-granting ticket came back."),
    _S.SEC_E_NO_IP_ADDRESSES: _rare("The request needs local network addresses and none were found."),
    _S.SEC_E_WRONG_CREDENTIAL_HANDLE: _F(
        "The credential is not the one the security context was made with.",
        "two handles mixed up",
        "Pass the same credential at every leg.",
    ),
    _S.SEC_E_CRYPTO_SYSTEM_INVALID: _rare("A cryptographic function that is needed is not available."),
    _S.SEC_E_MAX_REFERRALS_EXCEEDED: _rare("The KDCs passed the request on too many times."),
    _S.SEC_E_MUST_BE_KDC: _rare("Only a KDC may do this, and this machine is none."),
    _S.SEC_E_STRONG_CRYPTO_NOT_SUPPORTED: _rare("The peer wants strong cryptography that is not available here."),
    _S.SEC_E_TOO_MANY_PRINCIPALS: _rare("The KDC's reply names more than one principal."),
    _S.SEC_E_NO_PA_DATA: _rare("Pre-authentication data was expected and is missing."),
    _S.SEC_E_PKINIT_NAME_MISMATCH: _rare("The user name in the certificate is not the one that logs on."),
    _S.SEC_E_SMARTCARD_LOGON_REQUIRED: _rare("Policy demands a smart card for this logon."),
    _S.SEC_E_SHUTDOWN_IN_PROGRESS: _rare("The system is shutting down."),
    _S.SEC_E_KDC_INVALID_REQUEST: _rare("The KDC was sent a request that is not valid."),
    _S.SEC_E_KDC_UNABLE_TO_REFER: _rare("The KDC knows nobody to pass the request on to."),
    _S.SEC_E_KDC_UNKNOWN_ETYPE: _rare("The KDC does not support the encryption type.", "an account without AES keys"),
    _S.SEC_E_UNSUPPORTED_PREAUTH: _rare("The pre-authentication mechanism offered is not supported."),
    _S.SEC_E_DELEGATION_REQUIRED: _rare("Delegation is needed for this and is not allowed."),
    _S.SEC_E_BAD_BINDINGS: _F(
        "The channel bindings the peer sent do not match this connection.",
        "bindings of another TLS connection; a TLS end point between the two sides; a relay",
        "Pass the bindings of the connection the tokens really travel on.",
    ),
    _S.SEC_E_MULTIPLE_ACCOUNTS: _rare("The certificate maps to more than one account."),
    _S.SEC_E_NO_KERB_KEY: _rare("No Kerberos key is there for the account."),
    _S.SEC_E_CERT_WRONG_USAGE: _F(
        "The certificate is not meant for this use.",
        "a client certificate used by a server, or the reverse; an extended key usage that fits neither",
        "Issue a certificate with the fitting extended key usage.",
    ),
    _S.SEC_E_DOWNGRADE_DETECTED: _F(
        "The exchange looks as if somebody had forced a weaker mechanism on it.",
        "no domain controller within reach; tampering with a Negotiate exchange",
        "Check that the authority can be reached before suspecting an attack.",
    ),
    _S.SEC_E_SMARTCARD_CERT_REVOKED: _rare("The smart card's certificate has been revoked."),
    _S.SEC_E_ISSUING_CA_UNTRUSTED: _rare("An authority in the smart card's certificate chain is not trusted."),
    _S.SEC_E_REVOCATION_OFFLINE_C: _rare("Whether the smart card's certificate is revoked could not be found out."),
    _S.SEC_E_PKINIT_CLIENT_FAILURE: _rare("The smart card's certificate was not trusted."),
    _S.SEC_E_SMARTCARD_CERT_EXPIRED: _rare("The smart card's certificate has expired."),
    _S.SEC_E_NO_S4U_PROT_SUPPORT: _rare("The domain controller does not support service-for-user requests."),
    _S.SEC_E_CROSSREALM_DELEGATION_FAILURE: _rare("Constrained delegation was tried beyond the server's own realm."),
    _S.SEC_E_REVOCATION_OFFLINE_KDC: _rare("Whether the KDC's certificate is revoked could not be found out."),
    _S.SEC_E_ISSUING_CA_UNTRUSTED_KDC: _rare("An authority in the KDC's certificate chain is not trusted."),
    _S.SEC_E_KDC_CERT_EXPIRED: _rare("The KDC's certificate has expired."),
    _S.SEC_E_KDC_CERT_REVOKED: _rare("The KDC's certificate has been revoked."),
    _S.SEC_E_INVALID_PARAMETER: _F(
        "One of the arguments is not valid.",
        "a NULL argument where a value is needed; arguments that contradict each other",
        "Correct the call.",
    ),
    _S.SEC_E_DELEGATION_POLICY: _rare("Policy forbids handing credentials to this target."),
    _S.SEC_E_POLICY_NLTM_ONLY: _rare(
        "Policy forbids handing credentials to a target authenticated by NTLM alone (the header misspells NTLM)."
    ),
    _S.SEC_E_NO_CONTEXT: _F(
        "The call needs a security context and there is none.",
        "calls made in the wrong order",
        "Finish the handshake before the call.",
    ),
    _S.SEC_E_PKU2U_CERT_FAILURE: _rare("The certificate used for peer-to-peer (PKU2U) authentication failed."),
    _S.SEC_E_MUTUAL_AUTH_FAILED: _F(
        "The server did not prove who it is.",
        "a wrong service principal name in Kerberos or CredSSP",
        "Correct the target name.",
    ),
    _S.SEC_E_ONLY_HTTPS_ALLOWED: _rare("Only targets reached by HTTPS are allowed."),
    _S.SEC_E_APPLICATION_PROTOCOL_MISMATCH: _F(
        "The two sides have no application protocol (ALPN) in common; alert 120 is reported this way too.",
        "ALPN lists that do not overlap",
        "Offer a protocol both sides know, or offer none.",
    ),
    _S.SEC_E_INVALID_UPN_NAME: _rare("The user principal name is malformed."),
    _S.SEC_E_EXT_BUFFER_TOO_SMALL: _F(
        "The buffer for a generic TLS extension is too small.",
        "large QUIC transport parameters",
        "Enlarge the buffer to the size in cbBuffer and repeat the call with the same input.",
        reference="winerror.h (recent)",
    ),
    _S.SEC_E_INSUFFICIENT_BUFFERS: _F(
        "The descriptor holds too few buffers.",
        "a descriptor made for an older caller",
        "Add buffers to the descriptor.",
        reference="winerror.h (recent)",
    ),
}

_REVOCATION = {
    _S.CRYPT_E_NOT_FOUND: _certificate("The object is not in the store.", "a store lookup", "Look at the store."),
    _S.CRYPT_E_SELF_SIGNED: _certificate(
        "The certificate is signed by its own key.",
        "a certificate made for tests",
        "Trust it explicitly, or validate it in the application.",
    ),
    _S.CRYPT_E_NO_MATCH: _rare("No certificate matches."),
    _S.CRYPT_E_REVOKED: _certificate(
        "The certificate has been revoked; alert 44 is reported this way too.",
        "its issuer lists it in a CRL or says so by OCSP",
        "Get a new certificate.",
    ),
    _S.CRYPT_E_NO_REVOCATION_DLL: _rare("No provider is installed that could check revocation."),
    _S.CRYPT_E_NO_REVOCATION_CHECK: _certificate(
        "Revocation could not be checked, because there is nothing to check it with.",
        "a certificate that names no CRL and no OCSP responder",
        "Publish revocation data, or set SCH_CRED_IGNORE_NO_REVOCATION_CHECK.",
    ),
    _S.CRYPT_E_REVOCATION_OFFLINE: _certificate(
        "Revocation could not be checked, because its server did not answer.",
        "no way out to the CRL or OCSP server",
        "Open the way, or set SCH_CRED_IGNORE_REVOCATION_OFFLINE.",
    ),
    _S.CRYPT_E_NOT_IN_REVOCATION_DATABASE: _rare("The revocation data does not know the certificate."),
    _S.CRYPT_E_ASN1_EOD: _certificate(
        "The DER encoding ends too early.", "a certificate that was cut short", "Make the certificate again."
    ),
    _S.CRYPT_E_ASN1_BADTAG: _certificate(
        "The DER encoding has a tag that does not belong there.",
        "a malformed certificate",
        "Make the certificate again.",
    ),
}

_TRUST = {
    _S.TRUST_E_CERT_SIGNATURE: _certificate(
        "The signature on a certificate is wrong; a handshake reports SEC_E_CERT_UNKNOWN.",
        "a certificate that was changed after signing; an issuer of the same name with another key",
        "Have the certificate issued again.",
    ),
    _S.TRUST_E_BASIC_CONSTRAINTS: _rare("A certificate acts as an authority without being marked as one."),
    _S.TRUST_E_SUBJECT_NOT_TRUSTED: _rare("The subject is not trusted for the action."),
    _S.TRUST_E_NOSIGNATURE: _rare("The subject carries no signature."),
    _S.TRUST_E_FAIL: _rare("The trust decision failed without a closer reason."),
    _S.TRUST_E_EXPLICIT_DISTRUST: _rare("The certificate stands in the store of those explicitly not trusted."),
    _S.CERT_E_EXPIRED: _certificate(
        "A certificate of the chain is outside its validity; a handshake reports SEC_E_CERT_EXPIRED.",
        "an expired certificate or intermediate; a wrong clock",
        "Renew the certificate, or set the clock.",
    ),
    _S.CERT_E_VALIDITYPERIODNESTING: _rare("The validity periods of the chain do not lie within one another."),
    _S.CERT_E_ROLE: _rare("An end certificate is used as an authority, or an authority as an end certificate."),
    _S.CERT_E_PATHLENCONST: _rare("The chain is longer than one of its authorities allows."),
    _S.CERT_E_CRITICAL: _rare("A certificate has a critical extension nobody here understands."),
    _S.CERT_E_PURPOSE: _rare("The certificate is used for something its issuer did not allow."),
    _S.CERT_E_ISSUERCHAINING: _rare("The issuer named in the certificate did not sign it."),
    _S.CERT_E_MALFORMED: _rare("The certificate is malformed."),
    _S.CERT_E_UNTRUSTEDROOT: _certificate(
        "The chain ends at a root that is not trusted; a handshake reports SEC_E_UNTRUSTED_ROOT.",
        "a private authority that was not installed",
        "Install the root certificate.",
    ),
    _S.CERT_E_CHAINING: _certificate(
        "The chain could not be built up to a root; a handshake reports SEC_E_UNTRUSTED_ROOT.",
        "an intermediate certificate the peer did not send",
        "Have the peer send its intermediate certificates.",
    ),
    _S.CERT_E_REVOKED: _rare("The certificate was explicitly revoked by its issuer."),
    _S.CERT_E_UNTRUSTEDTESTROOT: _rare("The chain ends at a test root, and test roots are not accepted."),
    _S.CERT_E_REVOCATION_FAILURE: _rare("The revocation check itself failed."),
    _S.CERT_E_CN_NO_MATCH: _certificate(
        "The certificate does not carry the name that was asked for; a handshake reports SEC_E_WRONG_PRINCIPAL.",
        "a name missing among the subject alternative names",
        "Correct the target name or the certificate.",
    ),
    _S.CERT_E_WRONG_USAGE: _certificate(
        "The certificate is not meant for this use; a handshake reports SEC_E_CERT_WRONG_USAGE.",
        "an extended key usage that does not fit",
        "Issue the certificate with the fitting usage.",
    ),
    _S.CERT_E_UNTRUSTEDCA: _rare("Policy does not trust an authority of the chain."),
    _S.CERT_E_INVALID_POLICY: _rare("The certificate policy is not valid here."),
    _S.CERT_E_INVALID_NAME: _rare("A name of the certificate breaks a name constraint of its authority."),
    _S.NTE_BAD_SIGNATURE: _rare("The cryptographic provider found a signature to be wrong."),
    _S.NTE_NO_KEY: _rare("The cryptographic provider has no such key."),
    _S.NTE_BAD_KEYSET: _rare("The key container does not exist.", "a private key that was moved or never imported"),
}

STATUS_FACTS: dict[SecurityStatus, StatusFacts] = {**_INFORMATIONAL, **_ERRORS, **_REVOCATION, **_TRUST}


def _nt(meaning: str, cause: str, remedy: str, *, source: Source = Source.DOCUMENTED) -> StatusFacts:
    """State an NTSTATUS."""
    return StatusFacts(meaning, cause, remedy, source, "ntstatus.h")


def _refusal(meaning: str, cause: str, remedy: str) -> StatusFacts:
    """State an NTSTATUS that this project gives for a refused reinit, because no page names the code Windows gives."""
    reference = "ntstatus.h; the SspiReinitAsyncContext page promises a failure and names no code"
    return StatusFacts(meaning, cause, remedy, Source.INFERRED, reference)


NT_STATUS_FACTS: dict[NtStatus, StatusFacts] = {
    NtStatus.STATUS_SUCCESS: _nt(
        "The operation succeeded; from SspiReinitAsyncContext: the async context is ready for its next call.",
        "the normal result",
        "Queue the next call.",
    ),
    NtStatus.STATUS_PENDING: _nt(
        "A driver's operation is under way. The asynchronous SSPI functions do not use it.",
        "a driver that speaks of its own work",
        "Do not confuse it with SEC_I_ASYNC_CALL_PENDING (0x00090368).",
    ),
    NtStatus.STATUS_DEVICE_BUSY: _refusal(
        "Reinit was refused: the async context is busy.",
        "its call is still pending",
        "Wait until the call has completed.",
    ),
    NtStatus.STATUS_INVALID_HANDLE: _refusal(
        "Reinit was refused: this is no live async context.",
        "an async context that was freed, or never created",
        "Correct the program: reinitialize only what is alive.",
    ),
    NtStatus.STATUS_INVALID_PARAMETER: _refusal(
        "Reinit was refused: the argument cannot be used.", "a NULL async context", "Pass the async context."
    ),
    NtStatus.STATUS_LOGON_FAILURE: _nt(
        "The logon failed.",
        "AcceptSecurityContext of Digest, called again after the security context was established",
        "Stop calling once the handshake is done; otherwise correct the credentials.",
    ),
    NtStatus.STATUS_INSUFFICIENT_RESOURCES: _nt(
        "The kernel has no memory left for this.", "an async context could not be created", "Try again later."
    ),
    NtStatus.STATUS_NOT_SUPPORTED: _nt(
        "The request is not supported; the kernel's counterpart of SEC_E_UNSUPPORTED_FUNCTION.",
        "a function or flag that is not there in kernel mode",
        "Change the request.",
    ),
    NtStatus.STATUS_CANCELLED: _nt(
        "The operation was cancelled. No function cancels an asynchronous SSPI call.",
        "this tool giving up a call",
        "Let a call complete, then delete its security context.",
        source=Source.INFERRED,
    ),
    NtStatus.STATUS_INVALID_DEVICE_STATE: _refusal(
        "Reinit was refused: the async context is in use.",
        "its call is still pending",
        "Wait until the call has completed.",
    ),
}
