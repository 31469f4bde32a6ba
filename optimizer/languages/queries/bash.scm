((function_definition name: (_) @name body: (_) @body) @def (#set! kind "function"))
((program (variable_assignment name: (variable_name) @name) @def) (#set! kind "constant"))
((program (declaration_command (variable_assignment name: (variable_name) @name)) @def) (#set! kind "constant"))
((command name: (command_name (word) @callee) argument: (_)) @def (#set! callee "source .") (#set! role "import"))
