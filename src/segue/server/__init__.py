"""The API of the control plane: thin routes over what `read` gathers."""
