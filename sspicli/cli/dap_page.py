"""What the manual page of the debug adapter says besides its help: the members of a launch, and editors.

The rule guarded here: the members are those that a launch reads, from the same table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sspicli.adapter.launch import OF_BOTH, OF_FILE, OF_SESSION
from sspicli.cli.roff import Item, Lines, Paragraph, Section

NEOVIM = """\
local dap = require("dap")
dap.adapters["sspi-async"] = { type = "executable", command = "sspi-async", args = { "dap" } }
dap.configurations.yaml = {
  { type = "sspi-async", request = "launch", name = "this scenario", program = "${file}", stopOnEntry = true },
}
"""
"""The configuration of nvim-dap."""

VSCODE = """\
{
  "name": "sspi-async", "publisher": "local", "version": "0.1.0",
  "engines": { "vscode": "^1.80.0" }, "main": "./extension.js",
  "activationEvents": ["onDebugResolve:sspi-async"],
  "contributes": {
    "breakpoints": [{ "language": "yaml" }],
    "debuggers": [{ "type": "sspi-async", "label": "sspi-async", "languages": ["yaml"] }]
  }
}
"""
"""The manifest of an extension of Visual Studio Code."""

VSCODE_MAIN = """\
const { debug, DebugAdapterExecutable } = require("vscode");
exports.activate = (context) => context.subscriptions.push(
  debug.registerDebugAdapterDescriptorFactory("sspi-async", {
    createDebugAdapterDescriptor: () => new DebugAdapterExecutable("sspi-async", ["dap"]),
  }));
"""
"""What that extension does."""


def sections() -> Iterator[Section]:
    """Compose the sections that stand between the options and the exit codes."""
    yield Section("LAUNCH OF A FILE", _items(OF_FILE))
    yield Section("LAUNCH OF A SESSION", _items(OF_SESSION))
    yield Section("ANY LAUNCH", _items(OF_BOTH))
    yield Section(
        "EDITORS",
        (
            Paragraph("Neovim, with the plug-in nvim-dap:"),
            _lines(NEOVIM),
            Paragraph(
                "Visual Studio Code, with two files in a folder of ~/.vscode/extensions (not tried in that editor "
                "itself), package.json and extension.js:"
            ),
            _lines(VSCODE),
            _lines(VSCODE_MAIN),
        ),
    )


def _items(members: Mapping[str, str]) -> tuple[Item, ...]:
    return tuple(Item(name, f"{said[:1].upper()}{said[1:]}.") for name, said in members.items())


def _lines(text: str) -> Lines:
    return Lines(tuple(text.rstrip("\n").split("\n")))
