"""Operations on projects, environments and URLs: each file a verb."""
