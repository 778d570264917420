"""Reports: a week or month as a page, PDF and CSV, and by e-mail."""
