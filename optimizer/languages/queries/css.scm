((rule_set (selectors) @name (block) @body) @def (#set! kind "section"))
((media_statement . (_) @name (block) @body) @def (#set! kind "section"))
((keyframes_statement (keyframes_name) @name (keyframe_block_list) @body) @def (#set! kind "section"))
