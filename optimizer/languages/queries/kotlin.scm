((class_declaration (modifiers (class_modifier "enum")) name: (_) @name (enum_class_body)? @body) @def
  (#set! kind "enum") (#set! rank "-1"))
((class_declaration "class" name: (_) @name (class_body)? @body) @def (#set! kind "class"))
((class_declaration "interface" name: (_) @name (class_body)? @body) @def (#set! kind "interface"))
; `@A(b) sealed class C { … }` is taken for an expression.
((annotated_expression (annotation) (infix_expression (identifier) . (identifier) @callee . [
  (identifier) @name (call_expression . (identifier) @name (annotated_lambda) @body)
])) @def (#set! callee "class") (#set! kind "class"))
((object_declaration name: (_) @name (class_body)? @body) @def (#set! kind "class"))
((companion_object name: (_) @name (class_body)? @body) @def (#set! kind "class"))
((enum_entry (identifier) @name (class_body)? @body) @def (#set! kind "constant"))
((function_declaration name: (_) @name (function_body)? @body) @def (#set! kind "function"))
((type_alias type: (identifier) @name) @def (#set! kind "type"))
; Properties with code are methods, the others values.
((property_declaration (variable_declaration (identifier) @name) (getter (function_body) @body)) @def
  (#set! kind "method"))
((source_file (property_declaration (variable_declaration (identifier) @name)) @def) (#set! kind "constant"))
((class_body (property_declaration (variable_declaration (identifier) @name)) @def) (#set! kind "constant"))
((enum_class_body (property_declaration (variable_declaration (identifier) @name)) @def) (#set! kind "constant"))
((import) @def (#set! role "import") (#set! kind "import"))
