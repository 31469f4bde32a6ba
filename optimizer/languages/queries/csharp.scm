; Namespaces are left out: many files name theirs in a line of its own, around nothing.
(class_declaration name: (_) @name body: (_)? @body) @definition.class
(record_declaration name: (_) @name body: (_)? @body) @definition.class
(interface_declaration name: (_) @name body: (_)? @body) @definition.interface
(struct_declaration name: (_) @name body: (_)? @body) @definition.struct
(enum_declaration name: (_) @name body: (_)? @body) @definition.enum
(enum_member_declaration name: (_) @name) @definition.constant
(delegate_declaration name: (_) @name) @definition.type
(method_declaration name: (_) @name body: (_)? @body) @definition.method
(constructor_declaration name: (_) @name body: (_)? @body) @definition.method
(local_function_statement name: (_) @name body: (_)? @body) @definition.function
; Properties with code are methods, the others values.
(property_declaration name: (_) @name value: (arrow_expression_clause) @body) @definition.method
(property_declaration name: (_) @name
  accessors: (accessor_list (accessor_declaration body: (_))) @body) @definition.method
(property_declaration name: (_) @name accessors: (_) @body) @definition.constant
(event_field_declaration (variable_declaration (variable_declarator name: (_) @name))) @definition.constant
(field_declaration (modifier "const") (variable_declaration (variable_declarator name: (_) @name))) @definition.constant
(field_declaration (modifier "static") (modifier "readonly")
  (variable_declaration (variable_declarator name: (_) @name))) @definition.constant
((using_directive) @reference.import (#set! kind "using"))
((namespace_declaration name: (_) @reference.import) (#set! kind "package"))
((file_scoped_namespace_declaration name: (_) @reference.import) (#set! kind "package"))

; Names, and the calls among them.
(identifier) @reference
(invocation_expression function: [
  (identifier) @name
  (generic_name . (identifier) @name)
  (member_access_expression name: [(identifier) @name (generic_name . (identifier) @name)])
  (conditional_access_expression [
    (member_binding_expression name: [(identifier) @name (generic_name . (identifier) @name)])
    (member_access_expression name: [(identifier) @name (generic_name . (identifier) @name)])
    (conditional_access_expression
      (member_binding_expression name: [(identifier) @name (generic_name . (identifier) @name)]) .)
  ] .)
]) @reference.call
(object_creation_expression type: [
  (identifier) @name
  (generic_name . (identifier) @name)
  (qualified_name [(identifier) @name (generic_name . (identifier) @name)] .)
]) @reference.call
