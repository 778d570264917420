"""What an address means, what it may reach, and why it could not be opened."""
