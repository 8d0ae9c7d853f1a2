"""Faces for a person: the ladder, buffers and hex, computed from records alone."""
