"""The loops of the control plane: each gathers facts, asks a pure function of `decide`, and carries the answer out."""
