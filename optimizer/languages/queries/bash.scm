(function_definition name: (_) @name body: (_) @body) @definition.function
(program (variable_assignment name: (variable_name) @name) @definition.constant)
(program (declaration_command (variable_assignment name: (variable_name) @name)) @definition.constant)
((command name: (command_name (word) @callee) argument: (_)) @reference.import (#set! callee "source ."))

; Names, and the calls among them.
(variable_name) @reference
(command_name (word) @reference)
(function_definition (word) @reference)
(command name: (command_name . (word) @name)) @reference.call
