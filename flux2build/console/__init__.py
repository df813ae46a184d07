"""What people see: plans, builds, findings and errors."""
