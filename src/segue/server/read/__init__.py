"""What each page asks, as functions of the stores."""
