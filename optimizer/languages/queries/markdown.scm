((section . (atx_heading heading_content: (_) @name @head)) @def (#set! kind "section"))
((setext_heading heading_content: (_) @name @head) @def (#set! kind "section"))
