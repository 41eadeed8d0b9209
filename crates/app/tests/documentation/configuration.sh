# Where the page's configuration finds its resources and its store.
mkdir resources
export DURWARD_DSN=postgresql:///durward
