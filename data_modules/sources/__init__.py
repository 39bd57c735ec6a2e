"""Sources: functions that read upstream data, or simulate it, and yield the records of a corpus."""
