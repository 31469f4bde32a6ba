(class_declaration declaration_kind: ["class" "actor"] name: (_) @name body: (_) @body) @definition.class
(class_declaration declaration_kind: "struct" name: (_) @name body: (_) @body) @definition.struct
(class_declaration declaration_kind: "enum" name: (_) @name body: (_) @body) @definition.enum
(class_declaration declaration_kind: "extension" name: (_) @name body: (_) @body) @definition.impl
(protocol_declaration name: (_) @name body: (_) @body) @definition.interface
(function_declaration name: (simple_identifier) @name body: (_)? @body) @definition.function
(protocol_function_declaration name: (simple_identifier) @name) @definition.function
(init_declaration "init" @name body: (_)? @body) @definition.method
(deinit_declaration "deinit" @name body: (_)? @body) @definition.method
(subscript_declaration "subscript" @name (computed_property) @body) @definition.method
(typealias_declaration name: (type_identifier) @name) @definition.type
(associatedtype_declaration name: (type_identifier) @name) @definition.type
(enum_entry name: (simple_identifier) @name) @definition.constant
; Properties with code are methods, the others values.
(property_declaration name: (pattern bound_identifier: (_) @name) computed_value: (_) @body) @definition.method
(source_file (property_declaration name: (pattern bound_identifier: (_) @name)) @definition.constant)
(class_body (property_declaration name: (pattern bound_identifier: (_) @name)) @definition.constant)
(enum_class_body (property_declaration name: (pattern bound_identifier: (_) @name)) @definition.constant)
(protocol_property_declaration name: (pattern bound_identifier: (_) @name)) @definition.constant
((import_declaration) @reference.import (#set! kind "import"))

; Names, and the calls among them.
[(identifier) (simple_identifier) (type_identifier)] @reference
(call_expression . [
  (simple_identifier) @name (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @name))
]) @reference.call
