"""What a team shares: bytes, receipts and claims, in one store."""
