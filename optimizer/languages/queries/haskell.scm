(function name: [(variable) @name (prefix_id (_) @name)] match: (_)? @body) @definition.function
(function (infix operator: (_) @name) match: (_)? @body) @definition.function
(declarations (bind name: (variable) @name match: (_)? @body) @definition.function)
(instance_declarations (bind name: (variable) @name match: (_)? @body) @definition.method)
(class_declarations (signature name: (variable) @name) @definition.method)
(instance patterns: (type_patterns . [(name) @name (parens (apply constructor: (name) @name))])) @definition.impl
(data_type name: (name) @name) @definition.type
(newtype name: (name) @name) @definition.type
(type_synonym name: (name) @name) @definition.type
(type_family name: (name) @name) @definition.type
(data_family name: (name) @name) @definition.type
(class name: (name) @name patterns: (_)? @head) @definition.interface
((import) @reference.import (#set! kind "import"))

; Names, and the calls among them.
[(constructor) (name) (variable)] @reference
(apply function: [(variable) @name (constructor) @name (qualified id: (_) @name)]) @reference.call
