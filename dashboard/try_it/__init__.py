"""Images, recordings and webcams that people try Maskwatch with."""
