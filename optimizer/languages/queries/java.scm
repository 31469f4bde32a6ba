(class_declaration name: (_) @name body: (_) @body) @definition.class
(record_declaration name: (_) @name body: (_) @body) @definition.class
(interface_declaration name: (_) @name body: (_) @body) @definition.interface
(annotation_type_declaration name: (_) @name body: (_) @body) @definition.interface
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(method_declaration name: (_) @name body: (_)? @body) @definition.method
(constructor_declaration name: (_) @name body: (_) @body) @definition.method
(compact_constructor_declaration name: (_) @name body: (_) @body) @definition.method
(annotation_type_element_declaration name: (_) @name) @definition.method
(constant_declaration declarator: (variable_declarator name: (_) @name)) @definition.constant
(field_declaration (modifiers "static" "final") declarator: (variable_declarator name: (_) @name)) @definition.constant
((import_declaration) @reference.import (#set! kind "import"))

; Names, and the calls among them.
[(identifier) (type_identifier)] @reference
(method_invocation name: (identifier) @name) @reference.call
(object_creation_expression type: [(type_identifier) @name (generic_type . (type_identifier) @name)]) @reference.call
(object_creation_expression . (identifier) @name) @reference.call
