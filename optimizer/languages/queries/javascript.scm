((function_declaration name: (_) @name body: (_) @body) @def (#set! kind "function"))
((generator_function_declaration name: (_) @name body: (_) @body) @def (#set! kind "function"))
((class_declaration name: (_) @name body: (_) @body) @def (#set! kind "class"))
((method_definition name: (_) @name body: (_) @body) @def (#set! kind "method"))

; Functions and classes that are given a name by what they are assigned to.
((variable_declarator name: (identifier) @name value: [
  (arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)
]) @def (#set! kind "function"))
((variable_declarator name: (identifier) @name value: (class body: (_) @body)) @def (#set! kind "class"))
((assignment_expression left: [
  (identifier) @name (member_expression object: (_) @scope property: (property_identifier) @name)
] right: [
  (arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)
]) @def (#set! kind "function"))
((assignment_expression left: [
  (identifier) @name (member_expression object: (_) @scope property: (property_identifier) @name)
] right: (class body: (_) @body)) @def (#set! kind "class"))
((pair key: (property_identifier) @name value: [
  (arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)
]) @def (#set! kind "method"))
((field_definition property: (_) @name value: [
  (arrow_function body: (_) @body) (function_expression body: (_) @body)
]) @def (#set! kind "method"))

((program [
  (lexical_declaration (variable_declarator name: (identifier) @name) @def)
  (variable_declaration (variable_declarator name: (identifier) @name) @def)
  (export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name) @def))
]) (#set! kind "constant"))

((export_statement declaration: (_) @inner) @wide (#set! role "wide"))
((lexical_declaration . (variable_declarator) @inner) @wide (#set! role "wide"))
((variable_declaration . (variable_declarator) @inner) @wide (#set! role "wide"))

((import_statement) @def (#set! role "import") (#set! kind "import"))
((export_statement source: (_)) @def (#set! role "import") (#set! kind "export"))
((call_expression function: (identifier) @callee arguments: (arguments . (string))) @def
  (#set! callee "require") (#set! role "import") (#set! kind "require"))
((call_expression function: (import) arguments: (arguments . (string))) @def
  (#set! role "import") (#set! kind "dynamic"))
