(create_table (object_reference schema: (identifier)? @scope name: (identifier) @name) (column_definitions)? @body) @definition.struct
(create_view (object_reference schema: (identifier)? @scope name: (identifier) @name) (create_query) @body) @definition.type
(create_materialized_view (object_reference schema: (identifier)? @scope name: (identifier) @name) (create_query) @body) @definition.type
(create_function (object_reference name: (identifier) @name) (function_body)? @body) @definition.function
(create_trigger (keyword_trigger) . (object_reference name: (identifier) @name)) @definition.function
(create_type (object_reference schema: (identifier)? @scope name: (identifier) @name)) @definition.type
(create_index column: (identifier) @name) @definition.constant
(create_sequence (object_reference schema: (identifier)? @scope name: (identifier) @name)) @definition.constant
(create_schema (identifier) @name) @definition.module
