; Functions are methods when a class is right around them. Constants stand at the top of a module.
((function_definition name: (identifier) @name body: (block) @body) @def (#set! kind "function"))
((class_definition name: (identifier) @name body: (block) @body) @def (#set! kind "class"))
((decorated_definition definition: (_) @inner) @wide (#set! role "wide"))
((module (expression_statement (assignment left: (identifier) @name) @def)) (#set! kind "constant"))
((type_alias_statement left: (type (identifier) @name)) @def (#set! kind "type"))
((import_statement) @def (#set! role "import"))
((import_from_statement) @def (#set! role "import"))
((future_import_statement) @def (#set! role "import"))
