(from_instruction as: (image_alias) @name) @definition.module
(arg_instruction (arg_pair name: (unquoted_string) @name)) @definition.constant
(env_instruction (env_pair name: (unquoted_string) @name)) @definition.constant
