"""Receiving callbacks: what is posted is judged, and what it hints at is collected and filed."""
