"""The calls of a run as C: it compiles against declarations made of the functions' cards, and no data can leave it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspicli.analysis.report import report
from sspicli.journal.events import TokenSent
from sspicli.journal.journal import Record
from sspicli.sspi.functions import Function
from sspicli.views.c_words import comment, identifier, named_bits, wide_string
from sspicli.views.calls_c import call_source
from sspicli.views.look import Look
from sspicli.views.text import ASCII, plain
from tests.handshakes import records_of

STRUCTURES = """\
typedef long SECURITY_STATUS; typedef long NTSTATUS; typedef unsigned char BOOLEAN; typedef unsigned long ULONG;
typedef struct { unsigned short Length, MaximumLength; wchar_t *Buffer; } SECURITY_STRING, *PSECURITY_STRING;
typedef struct { unsigned long long dwLower, dwUpper; } CredHandle, *PCredHandle, CtxtHandle, *PCtxtHandle;
typedef struct { ULONG LowPart; long HighPart; } TimeStamp, *PTimeStamp;
typedef struct { ULONG cbBuffer, BufferType; void *pvBuffer; } SecBuffer;
typedef struct { ULONG ulVersion, cBuffers; SecBuffer *pBuffers; } SecBufferDesc, *PSecBufferDesc;
typedef struct SspiAsyncContext SspiAsyncContext;
typedef void SspiAsyncNotifyCallback(SspiAsyncContext *Handle, void *CallbackData);
typedef void (*SEC_GET_KEY_FN)(void); typedef void *PVOID; typedef const void *PCCERT_CONTEXT;
typedef struct { ULONG cAlpnIds; void *rgstrAlpnIds; ULONG grbitDisabledProtocols, cDisabledCrypto;
  void *pDisabledCrypto; ULONG dwFlags; } TLS_PARAMETERS;
typedef struct { ULONG dwVersion, dwCredFormat, cCreds; PCCERT_CONTEXT *paCred; void *hRootStore; ULONG cMappers;
  void **aphMappers; ULONG dwSessionLifespan, dwFlags, cTlsParameters;
  TLS_PARAMETERS *pTlsParameters; } SCH_CREDENTIALS;
#define RTL_CONSTANT_STRING(s) { sizeof(s) - sizeof(wchar_t), sizeof(s), s }
#define UNREFERENCED_PARAMETER(p) (void)(p)
SECURITY_STATUS FreeContextBuffer(void *); SECURITY_STATUS EncryptMessage(PCtxtHandle, ULONG, PSecBufferDesc, ULONG);
SECURITY_STATUS DecryptMessage(PCtxtHandle, PSecBufferDesc, ULONG, ULONG *);
SECURITY_STATUS QueryContextAttributesW(PCtxtHandle, ULONG, void *);
"""


def header(source: str) -> str:
    """Declare what a source uses: the functions by their cards, every constant with a number of its own."""
    functions = [
        f"{one.returns} {form}({', '.join(f'{a.type} {a.name}' for a in one.arguments) or 'void'});"
        for one in Function
        if one is not Function.SspiAsyncNotifyCallback
        for form in one.forms
    ]
    code = re.sub(r"/\*.*?\*/|L\"[^\"]*\"|^#.*?$", "", source, flags=re.DOTALL | re.MULTILINE)
    names = set(re.findall(r"\b(?:ISC|ASC|SECPKG|SECBUFFER|SCH|SP|SECURITY)_[A-Z0-9_]+\b", code))
    names -= {"SECURITY_STATUS", "SECURITY_STRING", "SCH_CREDENTIALS"}
    constants = [f"#define {name} {number}" for number, name in enumerate(sorted(names))]
    structures = sorted(set(re.findall(r"\bSecPkgContext_\w+", code)))
    types = [f"typedef struct {{ int x; }} {name};" for name in structures]
    return "#include <stddef.h>\n" + "\n".join([STRUCTURES, *functions, *constants, *types])


def written(records: list[Record], **options: Any) -> str:
    verbosity = options.pop("verbosity", 0)
    rows = call_source(report(records), records, Look(ASCII, 100, timing=True, verbosity=verbosity), **options)
    return "\n".join(plain(row) for row in rows) + "\n"


def compiled(source: str, folder: Path) -> str:
    """Check a source with the C compiler; what it complains about."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    for name in ("ntifs.h", "schannel.h"):
        (folder / name).write_text("")
    (folder / "sspi.h").write_text(header(source))
    (folder / "run.c").write_text(source)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-I.", "run.c"]
    unused = ["-Wno-unused-variable", "-Wno-unused-but-set-variable", "-Wno-overlength-strings"]
    ended = subprocess.run([compiler, *unused, *flags], capture_output=True, text=True, check=False, cwd=folder)
    return ended.stderr


KINDS: dict[str, dict[str, Any]] = {
    "mutual": {"client": ("cert=expired",), "server": ("request-cert=require",)},
    "messages": {"tls": "1.2", "messages": 1, "client": ("alpn=h2",), "server": ("alpn=h2",)},
    "sample": {"mode": "sample", "completion": "inline"},
    "refused": {"fault": ("client.init#1=refuse",)},
    "null": {"fault": ("server.create=null",)},
    "poll": {"mode": "poll", "server": ("tls=1.3",)},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verbosity", [0, 1])
def test_the_calls_of_a_run_compile(kind: str, verbosity: int, tmp_path: Path):
    assert compiled(written(records_of(**KINDS[kind]), verbosity=verbosity), tmp_path) == ""


def test_each_queued_call_passes_every_argument_by_its_name_in_documented_order():
    source = written(records_of(**KINDS["mutual"]))
    functions = {form: one for one in Function if one.queues for form in one.forms}
    calls = re.findall(r"status = (\w+)\(\n((?:        .*\n)+)", source)
    passed = [(functions[name], re.findall(r"/\* (\w+) \*/", rows)) for name, rows in calls if name in functions]
    assert len(passed) == 11
    for function, names in passed:
        assert names == [one.name for one in function.arguments]


def test_flags_buffers_and_statuses_have_their_documented_names():
    source = written(records_of(**KINDS["mutual"]))
    assert "ASC_REQ_MUTUAL_AUTH | ASC_REQ_REPLAY_DETECT" in source
    assert re.search(r"\{ \d+, SECBUFFER_TOKEN, server_call3_in_0 \},", source)
    assert "{ 0, SECBUFFER_EMPTY, NULL }," in source
    assert "SECPKG_CRED_INBOUND," in source
    assert "server.call3 completes, record 76: call status SEC_E_CERT_EXPIRED" in source
    assert "nt_status = SspiReinitAsyncContext(server_ac1); /* STATUS_SUCCESS */" in source
    assert ".dwFlags = SCH_CRED_NO_DEFAULT_CREDS | SCH_CRED_AUTO_CRED_VALIDATION" in source


def test_a_credential_of_before_the_session_is_said_to_be_not_on_record():
    note = "/* acquired before this session, not on record */"
    records = records_of()
    assert note not in written(records)
    kept = [one for one in records if not _is_of_credential(one)]
    source = written(kept)
    assert f"static CredHandle client_cred1; {note}" in source
    assert f"static CredHandle server_cred1; {note}" in source


def _is_of_credential(record: Record) -> bool:
    call = getattr(record.event, "call", None)
    return record.event.__class__.__name__.startswith("Credential") or str(call) in ("client.call1", "server.call1")


def test_what_is_emulated_assumed_or_left_out_is_said():
    source = " ".join(written(records_of()).replace("\n * ", " ").split())
    assert "Windows offers these functions in kernel mode only, and this run was not on Windows" in source
    assert "Not on record, and written as the drivers of this tool pass them: phNewContext" in source
    assert "Certificates and keys are left out. The bytes of tokens are left out; -v writes them." in source


def test_one_side_is_one_driver():
    source = written(records_of(), side="server")
    assert "server_ac1 = SspiCreateAsyncContext();" in source
    assert "client_ac1" not in source


def test_with_v_the_bytes_of_a_token_stand_in_full():
    records = records_of()
    token = next(one.event.data for one in records if isinstance(one.event, TokenSent))
    rows = re.search(r"server_call2_in_0\[\d+\] = \{(.*?)\};", written(records, verbosity=1), flags=re.DOTALL)
    assert rows is not None
    assert bytes(int(one, 16) for one in re.findall(r"0x([0-9a-f]{2}),", rows[1])) == token


# -- no data becomes code ----------------------------------------------------------------------------------------------
@given(st.text(max_size=200))
def test_no_text_ends_the_comment_that_it_stands_in(text: str):
    whole = "\n".join(comment(text, width=80))
    assert whole.startswith("/*")
    assert whole.endswith("*/")
    assert whole.count("*/") == whole.count("/*") == 1


@given(st.text(max_size=60))
def test_no_text_ends_the_string_that_it_stands_in(text: str):
    literal = wide_string(text)
    assert literal.isascii()
    parts = re.findall(r'L"((?:[^"\\]|\\x[0-9a-f]{4})*)"', literal)
    assert " ".join(f'L"{part}"' for part in parts) == literal


@given(st.text(max_size=40))
def test_a_name_holds_only_what_a_name_of_c_may(text: str):
    assert re.fullmatch(r"[A-Za-z0-9_]*", identifier(text))


def test_bits_without_a_name_are_one_number():
    assert named_bits(0x80000005, {"ONE": 1, "TWO": 2}) == "ONE | 0x80000004"
    assert named_bits(0, {"ONE": 1}) == "0"
