"""Who computes a leg: the security packages, their engines, and the certificates they use."""
