"""Pages and API about alerts. The package `alerts` evaluates rules and delivers messages."""
