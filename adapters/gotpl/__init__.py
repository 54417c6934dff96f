"""Go templates are rendered by gotpl, in processes of its own that can do nothing else."""
