"""The async SSPI itself: eleven functions that hold the law, and the dispatchers that complete their calls."""
