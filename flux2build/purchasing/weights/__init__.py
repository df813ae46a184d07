"""Rendering with open weights, in worker processes: nothing of torch is imported here."""
