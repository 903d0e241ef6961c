"""From the bytes of an image file to the picture that a browser would show."""
