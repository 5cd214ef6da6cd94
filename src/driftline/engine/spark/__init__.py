"""Work handed to Apache Spark: a session, and the fold of a data frame into one state. Needs the extra ``spark``."""
