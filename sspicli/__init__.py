"""Handshake tool and interactive debugger for asynchronous SSPI security contexts."""

__version__ = "0.1.0"
