"""Receives callbacks: judges messages, and collects and files the orders that they hint at."""
