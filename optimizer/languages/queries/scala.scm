(class_definition name: (_) @name body: (_)? @body) @definition.class
(object_definition name: (_) @name body: (_)? @body) @definition.class
(package_object name: (_) @name body: (_)? @body) @definition.module
(trait_definition name: (_) @name body: (_)? @body) @definition.trait
(enum_definition name: (_) @name body: (_)? @body) @definition.enum
(simple_enum_case name: (_) @name) @definition.constant
(full_enum_case name: (_) @name) @definition.constant
(function_definition name: (_) @name body: (_)? @body) @definition.function
(function_declaration name: (_) @name) @definition.function
(given_definition name: (_) @name body: (_)? @body) @definition.constant
(type_definition name: (_) @name) @definition.type
(template_body [
  (val_definition pattern: (identifier) @name) (var_definition pattern: (identifier) @name)
  (val_declaration name: (identifier) @name) (var_declaration name: (identifier) @name)
] @definition.constant)
(compilation_unit [
  (val_definition pattern: (identifier) @name) (var_definition pattern: (identifier) @name)
] @definition.constant)
((import_declaration) @reference.import (#set! kind "import"))

; Names, and the calls among them.
[(identifier) (package_identifier) (type_identifier)] @reference
(call_expression function: [
  (identifier) @name
  (field_expression field: (identifier) @name)
  (generic_function function: [(identifier) @name (field_expression field: (identifier) @name)])
]) @reference.call
(instance_expression . [(type_identifier) @name (generic_type . (type_identifier) @name)]) @reference.call
