# From the page before: a service at /orders with somebody who may call it. And a person to look for.
command durward protect "$SERVICE" --at /orders
printf 'kind: person\nname: carla\n' >carla.yaml
command durward apply -f carla.yaml
