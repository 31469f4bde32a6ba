; inherits: c
(function_definition declarator: (reference_declarator (function_declarator declarator: (_) @name)) body: (_) @body)
  @definition.function
(class_specifier name: (_) @name body: (_) @body) @definition.class
(struct_specifier name: [(qualified_identifier) (template_type)] @name body: (_) @body) @definition.struct
(namespace_definition name: (_) @name body: (_) @body) @definition.module
(alias_declaration name: (_) @name) @definition.type
(concept_definition name: (_) @name) @definition.type
(template_declaration (_) @inner) @wide
; `class MACRO Name : Base { … }` is parsed as a function without parameters.
(function_definition type: (class_specifier !body) declarator: (identifier) @name body: (_) @body) @definition.class
(function_definition type: (struct_specifier !body) declarator: (identifier) @name body: (_) @body) @definition.struct

; Names, and the calls among them.
(namespace_identifier) @reference
(call_expression function: [
  (primitive_type) @name
  (template_function name: (identifier) @name)
  (qualified_identifier name: [
    (identifier) @name
    (template_function name: (identifier) @name)
    (qualified_identifier name: [
      (identifier) @name
      (template_function name: (identifier) @name)
      (qualified_identifier name: [(identifier) @name (template_function name: (identifier) @name)])
    ])
  ])
]) @reference.call
(new_expression type: [
  (type_identifier) @name
  (primitive_type) @name
  (template_type name: (type_identifier) @name)
  (qualified_identifier name: [
    (type_identifier) @name
    (template_type name: (type_identifier) @name)
    (qualified_identifier name: [(type_identifier) @name (template_type name: (type_identifier) @name)])
  ])
]) @reference.call
