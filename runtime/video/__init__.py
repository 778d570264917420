"""From decoded video to pictures as people see them, for cameras and recordings alike."""
