# The reader's own applications.
cp "$OWN"/trust/* .
