"""Faces for a program: documents computed from records alone."""
