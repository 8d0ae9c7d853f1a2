"""The debug adapter: what the debugger does, in the Debug Adapter Protocol, so that an editor can be its screen."""
