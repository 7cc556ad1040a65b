"""What DAG authors pass to operators, sensors and triggers: read, checked and converted once, where it enters."""
