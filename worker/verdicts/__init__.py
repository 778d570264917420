"""From looks at a face to a verdict."""
