"""Code locations from the side of the control plane: processes with user code, which this side never imports."""
