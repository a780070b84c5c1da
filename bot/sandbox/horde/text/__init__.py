"""The text side of the simulated horde.

A call: `views` -> `orders` (schema) -> `intake` (rules; `pricing`) -> `world`. A job: `floor` (`scribes` take it) ->
`generator`, which reads the prompt (`chat_formats`, `chat_reading`), thinks of something to say (`answers`) and stops
where a backend would (`tokens`). `state` is what the lists tell, `levers` what tests may do.
"""
