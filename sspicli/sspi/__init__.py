"""The words and the law: statuses, flags, buffers, handles and the lifecycle table. Pure data, no I/O."""
