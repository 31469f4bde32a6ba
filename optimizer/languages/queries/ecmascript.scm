; What JavaScript and TypeScript share.
(function_declaration name: (_) @name body: (_) @body) @definition.function
(generator_function_declaration name: (_) @name body: (_) @body) @definition.function
(class_declaration name: (_) @name body: (_) @body) @definition.class
(method_definition name: (_) @name body: (_) @body) @definition.method

; Functions and classes that are given a name by what they are assigned to.
(variable_declarator name: (identifier) @name value: [
  (arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)
]) @definition.function
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @definition.class
(assignment_expression left: [
  (identifier) @name (member_expression object: (_) @scope property: (property_identifier) @name)
] right: [
  (arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)
]) @definition.function
(assignment_expression left: [
  (identifier) @name (member_expression object: (_) @scope property: (property_identifier) @name)
] right: (class body: (_) @body)) @definition.class
(pair key: (property_identifier) @name value: [
  (arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)
]) @definition.method

(program [
  (lexical_declaration (variable_declarator name: (identifier) @name) @definition.constant)
  (variable_declaration (variable_declarator name: (identifier) @name) @definition.constant)
  (export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name) @definition.constant))
])

(export_statement declaration: (_) @inner) @wide
(lexical_declaration . (variable_declarator) @inner) @wide
(variable_declaration . (variable_declarator) @inner) @wide

((import_statement) @reference.import (#set! kind "import"))
((export_statement source: (_)) @reference.import (#set! kind "export"))
((call_expression function: (identifier) @callee arguments: (arguments . (string))) @reference.import
  (#set! callee "require") (#set! kind "require"))
((call_expression function: (import) arguments: (arguments . (string))) @reference.import (#set! kind "dynamic"))

; Names, and the calls among them.
[
  (identifier) (private_property_identifier) (property_identifier) (shorthand_property_identifier) (shorthand_property_identifier_pattern) (statement_identifier)
] @reference
(call_expression function: [
  (identifier) @name (member_expression property: [(property_identifier) (private_property_identifier)] @name)
]) @reference.call
(new_expression constructor: [
  (identifier) @name (member_expression property: [(property_identifier) (private_property_identifier)] @name)
]) @reference.call
