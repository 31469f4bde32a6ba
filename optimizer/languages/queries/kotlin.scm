((class_declaration (modifiers (class_modifier "enum")) name: (_) @name (enum_class_body)? @body) @definition.enum (#set! rank "-1"))
(class_declaration "class" name: (_) @name (class_body)? @body) @definition.class
(class_declaration "interface" name: (_) @name (class_body)? @body) @definition.interface
; `@A(b) sealed class C { … }` is parsed as an expression.
((annotated_expression (annotation) (infix_expression (identifier) . (identifier) @callee . [
  (identifier) @name (call_expression . (identifier) @name (annotated_lambda) @body)
])) @definition.class (#set! callee "class"))
(object_declaration name: (_) @name (class_body)? @body) @definition.class
(companion_object name: (_) @name (class_body)? @body) @definition.class
(enum_entry (identifier) @name (class_body)? @body) @definition.constant
(function_declaration name: (_) @name (function_body)? @body) @definition.function
(type_alias type: (identifier) @name) @definition.type
; Properties with code are methods, the others values.
(property_declaration (variable_declaration (identifier) @name) (getter (function_body) @body)) @definition.method
(source_file (property_declaration (variable_declaration (identifier) @name)) @definition.constant)
(class_body (property_declaration (variable_declaration (identifier) @name)) @definition.constant)
(enum_class_body (property_declaration (variable_declaration (identifier) @name)) @definition.constant)
((import) @reference.import (#set! kind "import"))
((package_header (qualified_identifier) @reference.import) (#set! kind "package"))

; Names, and the calls among them.
(identifier) @reference
(call_expression . [(identifier) @name (navigation_expression (identifier) @name .)]) @reference.call
(constructor_invocation . (user_type (identifier) @name .)) @reference.call
