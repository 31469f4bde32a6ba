; Functions directly in a class become methods. Constants are assigned at module level.
(function_definition name: (identifier) @name body: (block) @body) @definition.function
(class_definition name: (identifier) @name body: (block) @body) @definition.class
(decorated_definition definition: (_) @inner) @wide
(module (expression_statement (assignment left: (identifier) @name) @definition.constant))
(type_alias_statement left: (type (identifier) @name)) @definition.type
(import_statement) @reference.import
(import_from_statement) @reference.import
(future_import_statement) @reference.import

; Names, and the calls among them.
(identifier) @reference
(call function: [(identifier) @name (attribute attribute: (identifier) @name)]) @reference.call
